#!/usr/bin/env bash
# Makes the azd environment on a build machine: the profile's variables, then those that were given to this process.
set -euo pipefail
: "${AZURE_ENV_NAME:?}" "${AZURE_LOCATION:?}" "${AZURE_SUBSCRIPTION_ID:?}"
cd "$(dirname "$0")/../.."
azd env new "$AZURE_ENV_NAME" --location "$AZURE_LOCATION" --subscription "$AZURE_SUBSCRIPTION_ID" --no-prompt
while IFS='=' read -r name value; do
  case "$name" in '' | \#*) ;; *) azd env set "$name" "$value" ;; esac
done < "infra/profiles/$AZURE_ENV_NAME.env"
for name in SPILLWAY_OPERATOR_KEY SPILLWAY_BUDGET_START SPILLWAY_ALERT_EMAIL; do
  if [ -n "${!name:-}" ]; then azd env set "$name" "${!name}"; fi
done
# What an earlier run created, so that its own deployments do not count as quota that others use.
if ! azd env refresh --no-prompt; then echo "Nothing is deployed in this environment yet."; fi
