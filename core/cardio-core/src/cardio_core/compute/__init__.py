"""Where work runs: devices, precision, and executors that spread jobs over them."""
