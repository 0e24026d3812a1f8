"""Leads: their names and order, those that follow from others, and exchanged electrodes."""
