// Owns `initialize`: the first request of every session, once.

import type { InitializeResult } from '@heddle/wire';
import { type Params, refusal } from './params.ts';
import type { ClientIdentity, Session } from './session.ts';

/** The version of codex app-server whose wire is spoken here; clients read it out of `userAgent`. */
const SPOKEN_CODEX_VERSION = '0.169.0';

export interface ServerIdentity {
  /** The program behind the wire, for `userAgent`: `heddle-demo/0.1.0`. */
  program: string;
  /** Reported as `codexHome`: an absolute path. */
  home: string;
}

/** @throws RpcError for a second `initialize`. */
export function initialize(session: Session, params: Params, server: ServerIdentity): InitializeResult {
  if (session.client !== undefined) throw refusal('Already initialized');
  const client = readClient(params);
  session.initialize(client);
  const { platformFamily, platformOs } = platform();
  return {
    // codex clients take the text between the first slash and the next space for the server's version.
    userAgent: `${client.name}/${SPOKEN_CODEX_VERSION} (${platformOs}; ${process.arch}) ${server.program} (${client.name}; ${client.version})`,
    codexHome: server.home,
    platformFamily,
    platformOs,
  };
}

function readClient(params: Params): ClientIdentity {
  const info = params.optionalObject('clientInfo');
  if (info === undefined) throw refusal('Invalid request: missing field `clientInfo`');
  const capabilities = params.optionalObject('capabilities');
  return {
    name: info.text('name'),
    version: info.text('version'),
    isExperimental: capabilities?.flag('experimentalApi') ?? false,
    optedOut: new Set(capabilities?.optionalTexts('optOutNotificationMethods')),
  };
}

function platform(): { platformFamily: string; platformOs: string } {
  if (process.platform === 'win32') return { platformFamily: 'windows', platformOs: 'windows' };
  return { platformFamily: 'unix', platformOs: process.platform === 'darwin' ? 'macos' : process.platform };
}
