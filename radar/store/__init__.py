"""Every SQL statement of the radar: tables, migrations, then queries by what they return."""
