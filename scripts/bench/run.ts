import { readdirSync } from 'node:fs';
import path from 'node:path';

/** `npm run bench -- <name>`: runs the bench of that name, the file beside this one. */
const names = readdirSync(import.meta.dirname)
  .map((file) => path.parse(file).name)
  .filter((name) => name !== 'run');
const [name] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`Which bench? One of: ${names.join(', ')}`);
  process.exitCode = 2;
} else {
  await import(`./${name}.js`);
}
