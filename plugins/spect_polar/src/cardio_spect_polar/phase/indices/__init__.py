"""What is measured of the phases: spread, delays, scar and thickening."""
