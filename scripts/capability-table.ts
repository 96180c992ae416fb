// Owns the form in which the README shows what each agent can do: a table between two marks, written from the sheet.

export type CapabilitySheet = Record<string, Record<string, boolean | string>>;

const begin = '<!-- written by npm run capabilities -->';
const end = '<!-- until here -->';

const titles: Record<string, string> = {
  approvals: 'asks before it acts',
  steer: 'takes messages while it works',
  fork: 'forks a conversation',
  rollback: 'takes a conversation back to an earlier turn',
  images: 'sees images',
  plan: 'shows its todo list',
  reasoning: 'shows its reasoning',
  usage: 'tells what a turn has cost',
  live_models: 'lists the models that you have configured',
};

const yes: unknown[] = [true, 'before'];

/** One row for each capability, one column for each agent. */
export function capabilityTable(sheet: CapabilitySheet): string {
  const agents = Object.keys(sheet);
  const keys = [...new Set(Object.values(sheet).flatMap((capabilities) => Object.keys(capabilities)))];
  const rows = keys.map((key) => [titles[key] ?? key, ...agents.map((agent) => (yes.includes(sheet[agent]?.[key]) ? 'yes' : 'no'))]);
  const lines = [['', ...agents], ['---', ...agents.map(() => '---')], ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [begin, ...lines, end].join('\n');
}

/**
 * The document with the table as it should be.
 * @throws Error when the marks are not there.
 */
export function withCapabilityTable(document: string, sheet: CapabilitySheet): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the document has no place for the table: ${begin} … ${end}`);
  return document.slice(0, from) + capabilityTable(sheet) + document.slice(to + end.length);
}
