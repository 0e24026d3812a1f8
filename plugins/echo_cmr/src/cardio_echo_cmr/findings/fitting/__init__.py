"""What is fitted beside the video networks: the baselines, and the classifier of views."""
