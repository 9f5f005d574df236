// Light and dark: antd's tokens beside the variables of styles/tokens.css.
import { theme as antdTheme, type ThemeConfig } from 'antd';
import { createContext, use, useCallback, useEffect, useState } from 'react';

export type ThemeName = 'light' | 'dark';
const storageKey = 'voltwell.theme';

const shared = {
  borderRadius: 8,
  fontSize: 14,
  fontFamily: 'inherit',
  wireframe: false,
};

export function themeConfig(name: ThemeName): ThemeConfig {
  if (name === 'dark') {
    return {
      algorithm: antdTheme.darkAlgorithm,
      token: {
        ...shared,
        colorPrimary: '#2b8e9b',
        colorLink: '#4cb6c3',
        colorInfo: '#2b8e9b',
        colorBgBase: '#0c1417',
        colorBgContainer: '#131e22',
        colorBgElevated: '#18262b',
        colorBorder: '#2f444c',
        colorBorderSecondary: '#22333a',
        colorTextSecondary: '#a3b5ba',
        colorTextDescription: '#a3b5ba',
        colorTextPlaceholder: '#8da0a6',
      },
    };
  }
  return {
    algorithm: antdTheme.defaultAlgorithm,
    token: {
      ...shared,
      colorPrimary: '#0e6573',
      colorInfo: '#0e6573',
      colorSuccess: '#147a4b',
      colorError: '#b8342c',
      colorWarning: '#b87a14',
      colorText: '#14272c',
      colorTextSecondary: '#55686e',
      colorTextDescription: '#55686e',
      colorTextPlaceholder: '#5f7076',
      colorBorder: '#cfd9dc',
      colorBorderSecondary: '#e1e8ea',
    },
    components: { Table: { headerBg: '#f7f9fa', headerColor: '#55686e', rowHoverBg: '#f7fafb' } },
  };
}

function startTheme(): ThemeName {
  const stored = localStorage.getItem(storageKey);
  if (stored === 'light' || stored === 'dark') return stored;
  return window.matchMedia?.('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export interface ThemeChoice {
  name: ThemeName;
  toggle: () => void;
}

export const ThemeContext = createContext<ThemeChoice>({ name: 'light', toggle: () => {} });
export const useTheme = (): ThemeChoice => use(ThemeContext);

export function useThemeChoice(): ThemeChoice {
  const [name, setName] = useState<ThemeName>(startTheme);
  useEffect(() => {
    document.documentElement.dataset.theme = name;
  }, [name]);
  const toggle = useCallback(() => {
    setName((old) => {
      const next = old === 'dark' ? 'light' : 'dark';
      localStorage.setItem(storageKey, next);
      return next;
    });
  }, []);
  return { name, toggle };
}
