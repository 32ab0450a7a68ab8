"""Files of payloads with expected values: what `torhaus codecs test` compares, one module a form of line."""
