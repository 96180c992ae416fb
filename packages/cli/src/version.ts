// Owns the version of this heddle. The bundle carries it inlined.

import packageJson from '../package.json' with { type: 'json' };

export const version: string = packageJson.version;
