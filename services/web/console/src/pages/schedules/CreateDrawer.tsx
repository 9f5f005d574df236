// The form that creates a schedule.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Drawer, Form, Input, Segmented, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useClients } from '@/api/clients';
import { errorText } from '@/api/errors';
import { keys, useCollectors, useMeters, useSites } from '@/api/queries';
import { useRequestIds } from '@/api/request_id';
import { mainRegisters, useRegisterTitles } from '@/components/useRegisterTitles';
import { siteNames } from '@/format/sites';
import { displayZone } from '@/format/time';
import { CronPreview } from './CronPreview';
import './schedules.css';

const drawerWidth = 560;
// As the server limits them.
const nameMax = 100;
const registersMax = 32;

const presets = {
  minute: '0 * * * * *',
  quarter: '0 */15 * * * *',
  hour: '0 0 * * * *',
  day: '0 5 0 * * *',
  month: '0 0 0 1 * *',
} as const;

type ScopeKind = 'all' | 'sites' | 'collectors' | 'meters';

interface Values {
  displayName: string;
  cron: string;
  timeZone: string;
  registers: string[];
  scope: ScopeKind;
  chosen?: string[];
}

export function scheduleOf(values: Values) {
  const { displayName, cron, timeZone, registers, scope, chosen = [] } = values;
  return {
    displayName: displayName.trim(),
    cron: cron.trim(),
    timeZone,
    registers,
    selection: scope === 'all' ? undefined : { [scope]: chosen },
  };
}

function useScopeOptions(scope: ScopeKind) {
  const sites = useSites();
  const collectors = useCollectors();
  const meters = useMeters();
  if (scope === 'sites') return [...siteNames(sites.data?.items ?? [])].map(([value, label]) => ({ value, label }));
  const items = scope === 'collectors' ? collectors.data?.items : scope === 'meters' ? meters.data?.items : undefined;
  return (items ?? []).map(({ name, displayName }) => ({ value: name, label: displayName }));
}

function Scope() {
  const { t } = useTranslation();
  const form = Form.useFormInstance<Values>();
  const scope = Form.useWatch('scope', form) ?? 'all';
  const options = useScopeOptions(scope);
  return (
    <>
      <Form.Item name="scope" label={t('schedule.selection')} style={scope === 'all' ? undefined : { marginBottom: 8 }}>
        <Segmented
          onChange={() => form.setFieldValue('chosen', [])}
          options={[
            { value: 'all', label: t('schedule.selectAll') },
            { value: 'sites', label: t('schedule.selectSites') },
            { value: 'collectors', label: t('schedule.selectCollectors') },
            { value: 'meters', label: t('schedule.selectMeters') },
          ]}
        />
      </Form.Item>
      {scope !== 'all' && (
        <Form.Item name="chosen" rules={[{ required: true, message: t('schedule.selectRequired') }]}>
          <Select mode="multiple" aria-label={t('schedule.selection')} options={options} showSearch={{ optionFilterProp: 'label' }} />
        </Form.Item>
      )}
    </>
  );
}

function CronField() {
  const { t } = useTranslation();
  const form = Form.useFormInstance<Values>();
  const cron = Form.useWatch('cron', form) ?? '';
  const timeZone = Form.useWatch('timeZone', form) ?? displayZone;
  return (
    <>
      <Form.Item
        label={t('schedule.cron')}
        extra={
          <>
            {t('schedule.cronHint')}
            <div className="presets">
              {Object.entries(presets).map(([key, value]) => (
                <Button key={key} size="small" type={cron.trim() === value ? 'primary' : 'default'} onClick={() => form.setFieldValue('cron', value)}>
                  {t(`schedule.presets.${key as keyof typeof presets}`)}
                </Button>
              ))}
            </div>
          </>
        }
        name="cron"
        rules={[{ required: true, whitespace: true, message: t('schedule.cronRequired') }]}
      >
        <Input className="mono" spellCheck={false} autoComplete="off" placeholder={presets.quarter} />
      </Form.Item>
      <CronPreview cron={cron} timeZone={timeZone} />
    </>
  );
}

export function CreateDrawer({ open, close }: { open: boolean; close: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { schedules } = useClients();
  const queryClient = useQueryClient();
  const requestIds = useRequestIds();
  const { options } = useRegisterTitles();
  const [form] = Form.useForm<Values>();
  const create = useMutation({
    mutationFn: (values: Values) => {
      const schedule = scheduleOf(values);
      return schedules.createSchedule({ requestId: requestIds.idFor(schedule), schedule });
    },
    onSuccess: async (schedule) => {
      requestIds.done();
      void message.success(t('schedule.created', { name: schedule.displayName }));
      await queryClient.invalidateQueries({ queryKey: keys.schedules });
      form.resetFields();
      close();
    },
  });
  return (
    <Drawer
      open={open}
      onClose={close}
      size={drawerWidth}
      title={t('schedule.create')}
      footer={
        <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 10 }}>
          <Button onClick={close}>{t('app.cancel')}</Button>
          <Button type="primary" loading={create.isPending} onClick={() => form.submit()}>
            {t('schedule.save')}
          </Button>
        </div>
      }
    >
      <Form<Values>
        form={form}
        name="schedule"
        layout="vertical"
        requiredMark={false}
        initialValues={{ timeZone: displayZone, scope: 'all', cron: presets.quarter, registers: [mainRegisters.electricity] }}
        onFinish={(values) => create.mutate(values)}
      >
        {create.error && (
          <Form.Item>
            <Alert type="error" showIcon title={errorText(t, create.error)} />
          </Form.Item>
        )}
        <Form.Item
          name="displayName"
          label={t('schedule.name')}
          rules={[{ required: true, whitespace: true, message: t('schedule.nameRequired') }]}
        >
          <Input maxLength={nameMax} placeholder={t('schedule.namePlaceholder')} />
        </Form.Item>
        <CronField />
        <Form.Item name="timeZone" label={t('schedule.zone')}>
          <Select
            showSearch
            options={Intl.supportedValuesOf('timeZone').map((value) => ({ value, label: value }))}
          />
        </Form.Item>
        <Form.Item name="registers" label={t('schedule.registers')} rules={[{ required: true, message: t('schedule.registersRequired') }]}>
          <Select mode="multiple" maxCount={registersMax} options={options} showSearch={{ optionFilterProp: 'title' }} />
        </Form.Item>
        <Scope />
      </Form>
    </Drawer>
  );
}
