// How sure the gateways must be of a collector, as a tag in its row; who may write changes it there. The key goes one way only: it is
// set and never shown again.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Drawer, Form, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClients } from '@/api/clients';
import { errorText } from '@/api/errors';
import { useCan } from '@/api/permissions';
import { keys } from '@/api/queries';
import { useRequestIds } from '@/api/request_id';
import { Tag } from '@/components/Tag';
import { Age } from '@/components/TimeText';
import { Collector_Assurance as Level, type Collector } from '@/gen/voltwell/registry/v1/collector_pb';

const drawerWidth = 480;
// Of 32 bytes; the server takes 16 to 64.
const newKeyBytes = 32;
const keyPattern = /^([0-9a-fA-F]{2}){16,64}$/;

const levels = [
  { value: Level.ID, key: 'id' },
  { value: Level.NETWORK, key: 'network' },
  { value: Level.KEY, key: 'key' },
  { value: Level.TLS_PSK, key: 'tlsPsk' },
  { value: Level.TLS_CERTIFICATE, key: 'tlsCertificate' },
] as const;

function wordOf(level: Level): `collector.identity.${(typeof levels)[number]['key']}` {
  return `collector.identity.${levels.find(({ value }) => value === level)?.key ?? 'id'}`;
}

interface Values {
  assurance: Level;
  sourceNetwork: string;
  keyHex: string;
}

// Only what is in the mask is changed: an empty key there would take the key away.
export function changeOf(name: string, { assurance, sourceNetwork, keyHex }: Values) {
  const key = keyHex.trim();
  const paths = ['assurance', 'source_network', ...(key ? ['key_hex'] : [])];
  return { collector: { name, assurance, sourceNetwork: sourceNetwork.trim(), keyHex: key }, updateMask: { paths } };
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(newKeyBytes));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('').toUpperCase();
}

function IdentityDrawer({ collector, close }: { collector: Collector; close: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { collectors } = useClients();
  const queryClient = useQueryClient();
  const requestIds = useRequestIds();
  const [form] = Form.useForm<Values>();
  const save = useMutation({
    mutationFn: (values: Values) => {
      const change = changeOf(collector.name, values);
      return collectors.updateCollector({ requestId: requestIds.idFor(change), ...change });
    },
    onSuccess: async () => {
      requestIds.done();
      void message.success(t('collector.identity.saved'));
      await queryClient.invalidateQueries({ queryKey: keys.collectors });
      close();
    },
  });
  return (
    <Drawer
      open
      onClose={close}
      size={drawerWidth}
      title={`${t('collector.identity.title')} · ${collector.displayName}`}
      footer={
        <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 10 }}>
          <Button onClick={close}>{t('app.cancel')}</Button>
          <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>
            {t('collector.identity.save')}
          </Button>
        </div>
      }
    >
      <Form<Values>
        form={form}
        name="identity"
        layout="vertical"
        requiredMark={false}
        initialValues={{ assurance: collector.assurance || Level.ID, sourceNetwork: collector.sourceNetwork, keyHex: '' }}
        onFinish={(values) => save.mutate(values)}
      >
        {save.error && (
          <Form.Item>
            <Alert type="error" showIcon title={errorText(t, save.error)} />
          </Form.Item>
        )}
        <Form.Item name="assurance" label={t('collector.identity.level')} extra={t('collector.identity.levelHint')}>
          <Select options={levels.map(({ value }) => ({ value, label: t(wordOf(value)) }))} />
        </Form.Item>
        <Form.Item name="sourceNetwork" label={t('collector.identity.sourceNetwork')}>
          <Input className="mono" placeholder="10.8.0.0/16" autoComplete="off" spellCheck={false} />
        </Form.Item>
        <Form.Item
          name="keyHex"
          label={t('collector.identity.keyLabel')}
          rules={[{ pattern: keyPattern, message: t('collector.identity.keyWrong') }]}
          extra={
            <>
              {collector.keySetTime ? (
                <>
                  {t('collector.identity.keySet')} <Age time={collector.keySetTime} />
                </>
              ) : (
                t('collector.identity.keyNone')
              )}
              <div>{t('collector.identity.keyHint')}</div>
              <Button size="small" onClick={() => form.setFieldValue('keyHex', newKey())}>
                {t('collector.identity.keyMake')}
              </Button>
            </>
          }
        >
          <Input className="mono" autoComplete="off" spellCheck={false} />
        </Form.Item>
      </Form>
    </Drawer>
  );
}

export function Identity({ collector }: { collector: Collector }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const mayWrite = useCan('collector.write');
  const word = t(wordOf(collector.assurance));
  if (!mayWrite) return <Tag plain>{word}</Tag>;
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        {word}
      </Button>
      {open && <IdentityDrawer collector={collector} close={() => setOpen(false)} />}
    </>
  );
}
