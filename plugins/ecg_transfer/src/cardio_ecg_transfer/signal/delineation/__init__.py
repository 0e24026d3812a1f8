"""The median beat of a recording, and where its P wave, QRS complex and T wave begin and end."""
