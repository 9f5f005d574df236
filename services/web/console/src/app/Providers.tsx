// Everything the pages stand on: transport, cache, words, look.
import type { Transport } from '@connectrpc/connect';
import { TransportProvider } from '@connectrpc/connect-query';
import { QueryClientProvider, type QueryClient } from '@tanstack/react-query';
import { App, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ThemeContext, themeConfig, useThemeChoice } from './theme';

interface Props {
  transport: Transport;
  queryClient: QueryClient;
  children: ReactNode;
}

export function Providers({ transport, queryClient, children }: Props) {
  const { i18n } = useTranslation();
  const choice = useThemeChoice();
  const theme = useMemo(() => themeConfig(choice.name), [choice.name]);
  return (
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queryClient}>
        <ThemeContext value={choice}>
          <ConfigProvider
            locale={i18n.language === 'zh' ? zhCN : enUS}
            theme={theme}
            button={{ autoInsertSpace: false }}
          >
            <App>{children}</App>
          </ConfigProvider>
        </ThemeContext>
      </QueryClientProvider>
    </TransportProvider>
  );
}
