"""What the doctor looks at, table by table: each module examines some tables and names what does not agree."""
