from torhaus.codecs.model import Value
from torhaus.codecs.payload.milesight import decoder


def test_the_names_of_the_first_decoders() -> None:
    air = decoder("am300-series")(bytes.fromhex("01755c06cb02087d2500"), 85)
    assert air == {"battery_level": Value(92, "%"), "illumination": Value(2), "tvoc": Value(37)}
    soil = decoder("em500-smt")(bytes.fromhex("04ca0202057f0111"), 85)
    assert soil == {"humidity": Value(5.14, "%"), "ec": Value(4353, "uS/cm")}
    socket = decoder("ws52x")(bytes.fromhex("087011ff3fff"), 85)
    assert socket == {"state": Value("open"), "outage": Value(1)}


def test_both_inputs_now_and_stored() -> None:
    two = decoder("ts30x")(bytes.fromhex("03000194d70401820002"), 85)
    assert two["magnet_chn1"] == Value("opened")
    assert two["temperature_chn2_change"] == Value(1.3, "K")
    assert two["temperature_chn2_alarm"] == Value("mutation")
    stored = decoder("ts30x")(bytes.fromhex("20cec79afa6415bdff000020cec79afa64620100f600"), 85)
    assert stored["history_0_temperature_chn1_alarm"] == Value("threshold")
    assert stored["history_0_magnet_chn2"] == Value("closed")
    assert stored["history_0_magnet_chn2_alarm"] == Value("threshold")
    assert stored["history_1_magnet_chn1"] == Value("opened")
    assert stored["history_1_temperature_chn2_alarm"] == Value("threshold release")
