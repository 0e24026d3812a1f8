"""What a file would unpack to, judged before anything of it is unpacked."""
