// The bar on top: whose installation this is, whether it is live, language, theme, sign-out.
import { LogoutOutlined, MoonOutlined, SunOutlined, UserOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Button, Dropdown, Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { useClients } from '@/api/clients';
import { Brand } from '@/components/Brand';
import type { GetMeResponse } from '@/gen/voltwell/registry/v1/session_service_pb';
import { LanguageSwitch } from './LanguageSwitch';
import { LiveIndicator } from './LiveIndicator';
import { useTheme } from './theme';

export function ThemeSwitch() {
  const { t } = useTranslation();
  const { name, toggle } = useTheme();
  return (
    <Tooltip title={t('app.theme')}>
      <Button
        type="text"
        aria-label={t('app.theme')}
        icon={name === 'dark' ? <SunOutlined aria-hidden /> : <MoonOutlined aria-hidden />}
        onClick={toggle}
      />
    </Tooltip>
  );
}

export function TopBar({ me }: { me: GetMeResponse }) {
  const { t } = useTranslation();
  const { session } = useClients();
  const navigate = useNavigate();
  const queryClient = useQueryClient();

  async function signOut() {
    // Whatever the answer, the user wants out: the sign-in page asks again who it is.
    await session.logout({}).catch(() => undefined);
    await navigate({ to: '/login' });
    queryClient.clear();
  }

  const name = me.displayName || me.login;
  return (
    <header className="top">
      <Brand />
      <span className="tenant">{me.tenantDisplayName}</span>
      <LiveIndicator />
      <LanguageSwitch />
      <ThemeSwitch />
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'who', label: `${name} · ${me.tenantDisplayName}`, disabled: true },
            { type: 'divider' },
            { key: 'out', icon: <LogoutOutlined aria-hidden />, label: t('login.logout'), onClick: () => void signOut() },
          ],
        }}
      >
        <Button type="text" className="user-button" icon={<UserOutlined aria-hidden />} aria-label={name}>
          {name}
        </Button>
      </Dropdown>
    </header>
  );
}
