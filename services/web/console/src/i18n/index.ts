// Chinese and English. The browser's language decides until the user does; the choice is kept in this browser.
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en } from './en';
import { zh } from './zh';

export type Language = 'zh' | 'en';
const storageKey = 'voltwell.language';

export function languageOf(stored: string | null, browser: readonly string[]): Language {
  if (stored === 'zh' || stored === 'en') return stored;
  for (const language of browser) {
    if (language.toLowerCase().startsWith('zh')) return 'zh';
    if (language.toLowerCase().startsWith('en')) return 'en';
  }
  return 'zh';
}

function markDocument(language: string): void {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
}

export function startI18n(language: Language): void {
  void i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: 'en',
    resources: { zh: { translation: zh }, en: { translation: en } },
    // React escapes.
    interpolation: { escapeValue: false },
    // Keys such as "closed by peer" hold no separators; reasons come from servers and may.
    nsSeparator: false,
    initAsync: false,
  });
  markDocument(language);
}

export function setLanguage(language: Language): void {
  localStorage.setItem(storageKey, language);
  void i18next.changeLanguage(language);
  markDocument(language);
}

export function startLanguage(): Language {
  return languageOf(localStorage.getItem(storageKey), navigator.languages);
}
