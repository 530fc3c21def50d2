"""From trees to the `Deployment`: what every endpoint answers, and why."""
