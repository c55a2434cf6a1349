"""The wind tunnel: many trials of a playbook on virtual plugins, an honest statistic, a certificate."""
