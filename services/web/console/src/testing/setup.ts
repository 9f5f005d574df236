// What jsdom lacks and antd needs; words in Chinese unless a test says otherwise.
import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeEach } from 'vitest';
import { setLanguage, startI18n } from '@/i18n';

class NoResize {
  observe() {}
  unobserve() {}
  disconnect() {}
}

globalThis.ResizeObserver = NoResize;
window.scrollTo = () => {};
window.matchMedia = (query) => ({
  matches: false,
  media: query,
  onchange: null,
  addListener: () => {},
  removeListener: () => {},
  addEventListener: () => {},
  removeEventListener: () => {},
  dispatchEvent: () => false,
});
// jsdom would match antd's thousands of rules against each element of each query; what tests ask for stands in the
// element's own style.
window.getComputedStyle = (element) => (element as HTMLElement).style;

// A busy machine takes a while.
configure({ asyncUtilTimeout: 8000 });

startI18n('zh');
beforeEach(() => {
  localStorage.clear();
  setLanguage('zh');
});
afterEach(cleanup);
