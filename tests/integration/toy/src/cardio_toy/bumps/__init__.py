"""The science of the toy: bumps, which it calls beats."""
