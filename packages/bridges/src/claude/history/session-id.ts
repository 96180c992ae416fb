// Owns what an id of a session of claude's looks like.

const sessionId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether an id may be a session's. Anything else would be a path of somebody's choice. */
export function isSessionId(id: string): boolean {
  return sessionId.test(id);
}
