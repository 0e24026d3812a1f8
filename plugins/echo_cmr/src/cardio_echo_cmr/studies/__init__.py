"""Echo studies: their clips, the CMR that belongs to them, what is known of the patient."""
