// What may be done with a schedule from its row: fire it now, pause it, let it go on.
import { CaretRightOutlined, PauseOutlined, ThunderboltOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { App, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useClients } from '@/api/clients';
import { errorText } from '@/api/errors';
import { useCan } from '@/api/permissions';
import { keys } from '@/api/queries';
import { useRequestIds } from '@/api/request_id';
import type { Schedule } from '@/gen/voltwell/scheduler/v1/schedule_pb';

export function ScheduleActions({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { schedules } = useClients();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const requestIds = useRequestIds();
  const mayWrite = useCan('schedule.write');
  const mayRun = useCan('schedule.run');
  const failed = (error: unknown) => void message.error(errorText(t, error));

  const pause = useMutation({
    mutationFn: (paused: boolean) =>
      schedules.updateSchedule({
        requestId: requestIds.idFor({ name: schedule.name, paused }),
        schedule: { name: schedule.name, paused },
        updateMask: { paths: ['paused'] },
      }),
    onSuccess: () => {
      requestIds.done();
      return queryClient.invalidateQueries({ queryKey: keys.schedules });
    },
    onError: failed,
  });
  const runNow = useMutation({
    mutationFn: () => schedules.runSchedule({ requestId: requestIds.idFor({ run: schedule.name }), name: schedule.name }),
    onSuccess: async (run) => {
      requestIds.done();
      void message.success(t('schedule.runStarted'));
      await queryClient.invalidateQueries({ queryKey: keys.runs });
      await navigate({ to: '/runs', search: { run: run.name } });
    },
    onError: failed,
  });

  return (
    <span className="reasons" style={{ justifyContent: 'flex-end', flexWrap: 'nowrap' }}>
      {mayRun && (
        <Button size="small" icon={<ThunderboltOutlined aria-hidden />} loading={runNow.isPending} onClick={() => runNow.mutate()}>
          {t('schedule.runNow')}
        </Button>
      )}
      {mayWrite && (
        <Button
          size="small"
          icon={schedule.paused ? <CaretRightOutlined aria-hidden /> : <PauseOutlined aria-hidden />}
          loading={pause.isPending}
          onClick={() => pause.mutate(!schedule.paused)}
        >
          {t(schedule.paused ? 'schedule.resume' : 'schedule.pause')}
        </Button>
      )}
    </span>
  );
}
