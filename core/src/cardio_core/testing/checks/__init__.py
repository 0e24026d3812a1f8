"""What is checked of a plugin: functions of one task, each of which raises a readable sentence."""
