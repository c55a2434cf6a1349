"""Expected behaviour: rules over a trace and the final tree, checked afterwards and guarded while it runs."""
