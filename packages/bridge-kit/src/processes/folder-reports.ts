// Owns what an agent said that it offers in a folder (models, skills): asked once, and taken for true for a minute, since
// what it says depends on files of the user's.

const LIFE_MS = 60_000;

export class FolderReports<Report> {
  readonly #ask: (cwd: string) => Promise<Report>;
  readonly #reports = new Map<string, { atMs: number; report: Promise<Report> }>();

  /** @param ask called when nothing is known of a folder */
  constructor(ask: (cwd: string) => Promise<Report>) {
    this.#ask = ask;
  }

  /** Who asks while an answer is awaited gets the same. */
  in(cwd: string): Promise<Report> {
    const known = this.#reports.get(cwd);
    if (known !== undefined && Date.now() - known.atMs < LIFE_MS) return known.report;
    return this.keep(cwd, this.#ask(cwd));
  }

  /** The latest of any folder, for what hardly differs between folders; asked in `cwd` when there is none. */
  latest(cwd: string): Promise<Report> {
    return [...this.#reports.values()].at(-1)?.report ?? this.in(cwd);
  }

  /** Notes what was said on another occasion. One that fails is forgotten. */
  keep(cwd: string, report: Promise<Report>): Promise<Report> {
    const oldestMs = Date.now() - LIFE_MS;
    for (const [folder, { atMs }] of this.#reports) if (atMs < oldestMs) this.#reports.delete(folder);
    this.#reports.delete(cwd);
    this.#reports.set(cwd, { atMs: Date.now(), report });
    report.catch(() => {
      if (this.#reports.get(cwd)?.report === report) this.#reports.delete(cwd);
    });
    return report;
  }
}
