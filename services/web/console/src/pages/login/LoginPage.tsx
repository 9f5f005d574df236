// Sign-in. The front door sets the session's cookie; nothing is kept here.
import { LockOutlined, UserOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Alert, Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { useClients } from '@/api/clients';
import { errorText } from '@/api/errors';
import { LanguageSwitch } from '@/app/LanguageSwitch';
import { ThemeSwitch } from '@/app/TopBar';
import { Mark } from '@/components/Brand';
import './login.css';

interface Credentials {
  user: string;
  password: string;
}

function Story() {
  const { t } = useTranslation();
  return (
    <aside className="login-story" aria-label="Voltwell">
      <span className="brand">
        <Mark size={34} />
        <span>Voltwell</span>
      </span>
      <div>
        <h2>{t('app.tagline')}</h2>
        <p>{t('app.pitch')}</p>
        <ul>
          <li>{t('login.point1')}</li>
          <li>{t('login.point2')}</li>
          <li>{t('login.point3')}</li>
        </ul>
      </div>
      <span />
      <svg className="login-wave" viewBox="0 0 800 160" fill="none" stroke="#7fe0d6" strokeWidth="1.4" aria-hidden>
        {[0, 1, 2, 3, 4, 5].map((line) => (
          <path key={line} d={`M0 ${70 + line * 15}C140 ${20 + line * 15} 240 ${140 + line * 8} 400 ${84 + line * 13}S660 ${18 + line * 17} 800 ${72 + line * 13}`} />
        ))}
      </svg>
    </aside>
  );
}

export function LoginPage() {
  const { t } = useTranslation();
  const { session } = useClients();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const search = useSearch({ from: '/login' });
  const signIn = useMutation({
    mutationFn: (credentials: Credentials) => session.login(credentials),
    onSuccess: async () => {
      queryClient.clear();
      await navigate({ href: search.next ?? '/', replace: true });
    },
  });

  return (
    <div className="login">
      <Story />
      <main className="login-side">
        <div className="login-tools">
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
        <div className="login-form">
          <span className="brand">
            <Mark size={34} />
            <span>Voltwell</span>
          </span>
          <h1>{t('login.title')}</h1>
          <Form<Credentials> name="login" layout="vertical" requiredMark={false} size="large" onFinish={(values) => signIn.mutate(values)}>
            {search.ended && !signIn.error && (
              <Form.Item>
                <Alert type="info" showIcon title={t('login.ended')} />
              </Form.Item>
            )}
            {signIn.error && (
              <Form.Item>
                <Alert type="error" showIcon title={errorText(t, signIn.error)} />
              </Form.Item>
            )}
            <Form.Item name="user" label={t('login.user')} rules={[{ required: true, message: t('login.userRequired') }]}>
              <Input autoComplete="username" autoFocus prefix={<UserOutlined aria-hidden />} />
            </Form.Item>
            <Form.Item name="password" label={t('login.password')} rules={[{ required: true, message: t('login.passwordRequired') }]}>
              <Input.Password autoComplete="current-password" prefix={<LockOutlined aria-hidden />} />
            </Form.Item>
            <Button type="primary" htmlType="submit" block loading={signIn.isPending}>
              {t('login.submit')}
            </Button>
          </Form>
        </div>
      </main>
    </div>
  );
}
