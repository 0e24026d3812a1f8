"""How the network of views is trained and calibrated: phantoms of several renderers, the fit."""
