"""The science of the modality: fitted on nobody, no task known."""
