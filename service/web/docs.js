// Shows openapi.yaml of this service; no validator is asked, which would be somewhere else.
SwaggerUIBundle({
  url: "openapi.yaml",
  dom_id: "#documentation",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
});
