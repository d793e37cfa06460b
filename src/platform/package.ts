import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Where this package lives, whether it runs from its sources or from what was built of them. */
export interface Package {
  folder: string;
  version: string;
  /** The built user interface. */
  uiFolder: string;
}

/** The nearest folder at or above `from` that holds a `package.json`. */
export function findPackage(from: string): Package {
  const file = path.join(from, 'package.json');
  if (!existsSync(file)) return findPackage(path.dirname(from));
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return { folder: from, version, uiFolder: path.join(from, 'dist', 'public') };
}
