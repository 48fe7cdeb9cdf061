"""The deployment: Bicep templates, model tables, profiles and the hooks that azd runs."""
