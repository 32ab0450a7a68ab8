"""Documents that come by HTTP: whole ones by PUT and POST, and in pieces that survive a cut line by tus 1.0."""
