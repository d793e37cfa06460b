/**
 * Comma-separated rows as PBXs write them. A row ends with its line: PBXs write none over several lines, and a row torn
 * in the middle of a quoted field must not swallow those behind it. Quotes inside a quoted field are doubled.
 */

/** One row: its fields, and the line it stands on, counted from 1. Empty lines are left out. */
export interface CsvRow {
  line: number;
  fields: string[];
}

function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let field = '';
    if (line[at] === '"') {
      at += 1;
      for (;;) {
        const quote = line.indexOf('"', at);
        if (quote < 0) {
          field += line.slice(at);
          at = line.length;
          break;
        }
        field += line.slice(at, quote);
        at = quote + 1;
        if (line[at] !== '"') break;
        field += '"';
        at += 1;
      }
    }
    const comma = line.indexOf(',', at);
    fields.push(field + line.slice(at, comma < 0 ? undefined : comma));
    if (comma < 0) return fields;
    at = comma + 1;
  }
}

/** The rows of `text`. Any text gives rows; what they mean is for others to judge. */
export function parseCsv(text: string): CsvRow[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ line: index + 1, text: line }))
    .filter(({ text: line }) => line.trim() !== '')
    .map(({ line, text: row }) => ({ line, fields: fieldsOf(row) }));
}
