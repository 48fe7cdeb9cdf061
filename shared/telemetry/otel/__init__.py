"""Facts as OpenTelemetry spans, metrics and events, with the API only: who exports them is the platform's business."""
