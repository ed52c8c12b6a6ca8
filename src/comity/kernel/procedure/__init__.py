"""What comes next: state tables, clocks, decision rules, texts with brackets, committed positions."""
