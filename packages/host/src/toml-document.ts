// Owns reading TOML text into values that know their line. It knows no key's meaning.
// The parser's own conversion to values is not used: a table named `__proto__` or `constructor.prototype` would
// write into Object.prototype (toml-eslint-parser 1.0.3, measured).

import { HeddleError } from '@heddle/wire';
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';

type TomlPath = readonly (string | number)[];
/** Without a prototype, so that any key is an ordinary one. */
type TomlTable = Record<string, unknown>;

export interface TomlDocument {
  root: TomlTable;
  /** The value at a path; undefined when there is none. */
  valueAt(path: TomlPath): unknown;
  /** 1-based line of the key (or list element) at a path, or of the nearest table above it that is there. */
  lineOf(path: TomlPath): number;
  /** Where in the text the value at a path stands, as UTF-16 offsets [from, to). */
  rangeOf(path: TomlPath): readonly [number, number] | undefined;
}

/**
 * @param file only for the error text
 * @throws HeddleError `config_invalid` with line and column when the text is not TOML 1.0.
 */
export function readToml(text: string, file: string): TomlDocument {
  const root = newTable();
  const places = new Map<string, { line: number; range?: AST.Range }>();
  const note = (path: TomlPath, line: number) => {
    const key = JSON.stringify(path);
    if (!places.has(key)) places.set(key, { line });
  };

  const assign = (table: TomlTable, tablePath: TomlPath, entry: AST.TOMLKeyValue) => {
    const names = namesOf(entry.key);
    const path = [...tablePath, ...names];
    for (let depth = tablePath.length + 1; depth <= path.length; depth += 1) note(path.slice(0, depth), entry.loc.start.line);
    const parent = descend(table, names.slice(0, -1)) as TomlTable;
    parent[names.at(-1) as string] = valueOf(entry.value, path);
    places.set(JSON.stringify(path), { line: entry.loc.start.line, range: entry.value.range });
  };
  const valueOf = (node: AST.TOMLContentNode, path: TomlPath): unknown => {
    switch (node.type) {
      case 'TOMLValue':
        return node.value;
      case 'TOMLArray':
        return node.elements.map((element, index) => {
          note([...path, index], element.loc.start.line);
          return valueOf(element, [...path, index]);
        });
      case 'TOMLInlineTable': {
        const table = newTable();
        for (const entry of node.body) assign(table, path, entry);
        return table;
      }
    }
  };

  for (const node of parse(text, file).body[0].body) {
    if (node.type === 'TOMLKeyValue') {
      assign(root, [], node);
      continue;
    }
    const path = node.resolvedKey;
    for (let depth = 1; depth <= path.length; depth += 1) note(path.slice(0, depth), node.loc.start.line);
    const table = descend(root, path) as TomlTable;
    for (const entry of node.body) assign(table, path, entry);
  }

  return {
    root,
    valueAt: (path) => path.reduce<unknown>((value, key) => (isContainer(value) ? value[key] : undefined), root),
    lineOf(path) {
      for (let depth = path.length; depth > 0; depth -= 1) {
        const place = places.get(JSON.stringify(path.slice(0, depth)));
        if (place !== undefined) return place.line;
      }
      return 1;
    },
    rangeOf: (path) => places.get(JSON.stringify(path))?.range,
  };
}

function parse(text: string, file: string): AST.TOMLProgram {
  try {
    return parseTOML(text, { tomlVersion: '1.0' });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const lines = text.slice(0, offsetOfMistake(text, error.index)).split('\n');
    const place = `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
    throw new HeddleError('config_invalid', `${file}:${place}: this is not TOML: ${error.message}`, {
      cause: error,
      hint: 'Text needs "quotes", a list [brackets], and each key a line of its own. The language: https://toml.io/en/v1.0.0',
    });
  }
}

/** A value or a bracket that is missing at the end of a line is noticed by the parser only at the next word. */
function offsetOfMistake(text: string, noticedAt: number): number {
  const unfinished = /(?:=|(?:^|\n)[ \t]*\[[^\]\n]*?)[ \t\r]*\n\s*$/.exec(text.slice(0, noticedAt));
  return unfinished === null ? noticedAt : unfinished.index + unfinished[0].trimEnd().length;
}

function namesOf(key: AST.TOMLKey): string[] {
  return key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value));
}

type Container = Record<string | number, unknown>;

/** Walks into nested tables and makes the missing ones; the parser has made sure that nothing else is in the way. */
function descend(start: TomlTable, path: TomlPath): unknown {
  let container: Container = start;
  path.forEach((key, index) => {
    container[key] ??= typeof path[index + 1] === 'number' ? [] : newTable();
    container = container[key] as Container;
  });
  return container;
}

function newTable(): TomlTable {
  return Object.create(null) as TomlTable;
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}
