"""What digital phantoms of several plugins share: physics, appearance and files."""
