/** The OpenAPI document as a page that can be read, without a script or a stylesheet from elsewhere. */

interface Document {
  info: { title: string; version: string; description?: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, DocumentedOperation>>;
}

interface DocumentedOperation {
  operationId: string;
  tags?: string[];
  summary?: string;
  description?: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; description?: string }[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { description?: string }>;
}

const escape = (text: string) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** `code` in descriptions is all the markup there is. */
const prose = (text: string) => escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');

function section(method: string, path: string, operation: DocumentedOperation): string {
  const parameters = (operation.parameters ?? []).map(
    (parameter) =>
      `<tr><td><code>${escape(parameter.name)}</code></td><td>${escape(parameter.in)}${parameter.required === true ? ', required' : ''}</td><td>${prose(parameter.description ?? '')}</td></tr>`,
  );
  const responses = Object.entries(operation.responses).map(
    ([status, response]) => `<tr><td>${escape(status)}</td><td colspan="2">${prose(response.description ?? '')}</td></tr>`,
  );
  const media = Object.keys(operation.requestBody?.content ?? {});
  return `<section id="${escape(operation.operationId)}"><h3><code><b>${method.toUpperCase()}</b> ${escape(path)}</code></h3>
<p>${prose(operation.summary ?? '')}${operation.security?.length === 0 ? ' <em>Open to anyone.</em>' : ''}</p>
${operation.description === undefined ? '' : `<p>${prose(operation.description)}</p>`}
${media.length === 0 ? '' : `<p>Body: ${media.map((type) => `<code>${escape(type)}</code>`).join(', ')}</p>`}
<table>${parameters.join('')}${responses.join('')}</table></section>`;
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2430;background:#fff}
h1,h2,h3{line-height:1.2}h3{margin:2rem 0 .5rem}code{font:14px ui-monospace,monospace}table{border-collapse:collapse;width:100%}
td{border-top:1px solid #cdd3da;padding:.25rem .5rem;vertical-align:top}a{color:#0b5cad}
@media (prefers-color-scheme:dark){body{color:#e8edf3;background:#12171e}td{border-color:#3a4552}a{color:#7fb8ff}}`;

/** The page, its one style element carrying `nonce`. */
export function apiDocsPage(document: object, nonce: string): string {
  const { info, servers, paths } = document as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? 'other'))];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(info.title)} API</title><style nonce="${nonce}">${style}</style></head><body>
<h1>${escape(info.title)} API ${escape(info.version)}</h1><p>${prose(info.description ?? '')}</p>
<p>Base address <code>${escape(servers[0]?.url ?? '')}</code>; the whole as <a href="v1/openapi.json">OpenAPI 3.1</a>.</p>
<nav><ul>${tags.map((tag) => `<li><a href="#tag-${escape(tag)}">${escape(tag)}</a></li>`).join('')}</ul></nav>
${tags
  .map(
    (tag) =>
      `<h2 id="tag-${escape(tag)}">${escape(tag)}</h2>${operations
        .filter(({ operation }) => (operation.tags?.[0] ?? 'other') === tag)
        .map(({ method, path, operation }) => section(method, path, operation))
        .join('')}`,
  )
  .join('')}
</body></html>`;
}
