// Both languages say everything, and nothing is said outside of them.
import { describe, expect, test } from 'vitest';
import { languageOf } from '.';
import { en } from './en';
import { zh } from './zh';

type Tree = { [key: string]: string | Tree };

function flatten(tree: Tree, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat.set(prefix + key, value);
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text);
  }
  return flat;
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/{{(\w+)}}/g)].map(([, name]) => name ?? '').sort();
}

const sources = import.meta.glob<string>(['/src/**/*.{ts,tsx}', '!/src/gen/**', '!/src/testing/**', '!/src/**/*.test.*'], {
  query: '?raw',
  import: 'default',
  eager: true,
});

const chinese = flatten(zh);
const english = flatten(en);

describe('the two languages', () => {
  test('have the same keys', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
  });

  test('fill in the same placeholders', () => {
    for (const [key, text] of chinese) expect(placeholders(english.get(key) ?? ''), key).toEqual(placeholders(text));
  });

  test('leave no text empty, and English holds no Chinese', () => {
    for (const [key, text] of chinese) expect(text, key).not.toBe('');
    for (const [key, text] of english) {
      expect(text, key).not.toBe('');
      if (key !== 'app.switchLanguage') expect(text, key).not.toMatch(/\p{Script=Han}/u);
    }
  });
});

describe('the sources', () => {
  test('are found at all', () => {
    expect(Object.keys(sources).length).toBeGreaterThan(40);
  });

  test('ask only for keys that exist', () => {
    for (const [path, text] of Object.entries(sources)) {
      for (const [, key = ''] of text.matchAll(/\bt\('([^']+)'/g)) expect(chinese.has(key), `${path}: ${key}`).toBe(true);
    }
  });

  test('hold no Chinese outside of the language files', () => {
    // Ages come from Intl, which has no word for "just now".
    const allowed = new Set(['/src/format/time.ts']);
    for (const [path, text] of Object.entries(sources)) {
      if (path.startsWith('/src/i18n/') || allowed.has(path)) continue;
      expect(text.match(/\p{Script=Han}+/u)?.[0], path).toBeUndefined();
    }
  });
});

describe('the language at first', () => {
  test('is the browser’s where we speak it, by its order', () => {
    expect(languageOf(null, ['zh-TW', 'en'])).toBe('zh');
    expect(languageOf(null, ['en-GB', 'zh-CN'])).toBe('en');
    expect(languageOf(null, ['de-DE', 'en'])).toBe('en');
  });

  test('is Chinese where we speak none of the browser’s', () => {
    expect(languageOf(null, ['de-DE'])).toBe('zh');
  });

  test('is what the user chose before', () => {
    expect(languageOf('en', ['zh-CN'])).toBe('en');
    expect(languageOf('fr', ['zh-CN'])).toBe('zh');
  });
});
