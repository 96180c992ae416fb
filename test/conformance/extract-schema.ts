// Writes the committed schema (test/goldens/codex) from the installed codex: `node test/conformance/extract-schema.ts`.

import { writeFile } from 'node:fs/promises';
import { generateSchema } from '../agents/support/codex-schema.ts';
import { schemaFile } from './schema.ts';
import { bundleText } from './schema-bundle.ts';

await writeFile(schemaFile, bundleText(await generateSchema()));
