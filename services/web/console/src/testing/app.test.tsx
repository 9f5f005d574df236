// The console as a person meets it, over the fake server.
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { Collector_Assurance, PresenceSchema } from '@/gen/voltwell/registry/v1/collector_pb';
import type { UpdateCollectorRequest } from '@/gen/voltwell/registry/v1/collector_service_pb';
import { Meter_Kind } from '@/gen/voltwell/registry/v1/meter_pb';
import type { CreateMeterRequest } from '@/gen/voltwell/registry/v1/meter_service_pb';
import type { CreateScheduleRequest } from '@/gen/voltwell/scheduler/v1/schedule_service_pb';
import { Operation_State } from '@/gen/voltwell/scheduler/v1/operation_pb';
import type { ExecuteOperationRequest } from '@/gen/voltwell/scheduler/v1/operation_service_pb';
import { setLanguage } from '@/i18n';
import { Fake, refusal } from './fake';
import { makeReading, makeRun } from './field';
import { renderApp } from './renderApp';

describe('sign-in', () => {
  test('is where everybody without a session arrives, and leads back to where they wanted to go', async () => {
    const fake = new Fake({ signedIn: false });
    const { user, router } = renderApp(fake, '/schedules');
    await user.type(await screen.findByLabelText('用户名'), 'admin');
    await user.type(screen.getByLabelText('密码'), 'demo');
    await user.click(screen.getByRole('button', { name: '登录' }));
    expect(await screen.findByRole('heading', { name: '抄表计划' })).toBeVisible();
    expect(router.state.location.pathname).toBe('/schedules');
  });

  test('tells a wrong password in words and stays', async () => {
    const { user } = renderApp(new Fake({ signedIn: false }), '/login');
    await user.type(await screen.findByLabelText('用户名'), 'admin');
    await user.type(screen.getByLabelText('密码'), 'wrong');
    await user.click(screen.getByRole('button', { name: '登录' }));
    expect(await screen.findByText('用户名或密码不正确')).toBeVisible();
  });

  test('never leads to another site', async () => {
    const { router } = renderApp(new Fake({ signedIn: false }), '/login?next=%2F%2Fevil.example');
    await screen.findByLabelText('用户名');
    expect(router.state.matches.at(-1)?.search).not.toHaveProperty('next', '//evil.example');
  });

  test('is asked for again when the session ends while the page is open', async () => {
    const fake = new Fake();
    const { user } = renderApp(fake, '/');
    await screen.findByRole('heading', { name: '总览' });
    fake.signedIn = false;
    await user.click(within(screen.getAllByRole('navigation')[0]!).getByText('采集器'));
    fake.dropWatchers();
    expect(await screen.findByText('登录已失效，请重新登录。', undefined, { timeout: 5000 })).toBeVisible();
  });

  test('ends by signing out', async () => {
    const fake = new Fake();
    const { user } = renderApp(fake, '/');
    await user.click(await screen.findByRole('button', { name: '王工' }));
    await user.click(await screen.findByText('退出登录'));
    expect(await screen.findByLabelText('用户名')).toBeVisible();
    expect(fake.countCalls('Logout')).toBe(1);
  });
});

describe('the overview', () => {
  test('counts collectors, meters and the last run that ended', async () => {
    const fake = new Fake();
    fake.runs = [makeRun(7, 'schedules/p1', fake.now, 24, { TIMEOUT: 2n })];
    renderApp(fake);
    expect(await screen.findByText('1 台离线')).toBeVisible();
    expect(screen.getByText('1 台从未上线')).toBeVisible();
    expect(screen.getByText('91.6%')).toBeVisible();
    expect(screen.getAllByText('表计无应答')[0]).toBeVisible();
    expect(screen.getByText('电表 21 · 水表 3')).toBeVisible();
  });

  test('changes when a collector comes online, without asking again', async () => {
    const fake = new Fake();
    renderApp(fake);
    await screen.findByText('1 台离线');
    await waitFor(() => expect(fake.watchers).toBe(1));
    const asked = fake.countCalls('ListCollectors');
    const presence = create(PresenceSchema, { online: true, sinceTime: timestampFromMs(fake.now) });
    fake.push({ collectors: [{ ...fake.collectors[3]!, presence }] });
    await waitFor(() => expect(screen.queryByText('1 台离线')).toBeNull());
    expect(fake.countCalls('ListCollectors')).toBe(asked);
  });

  test('asks for the reasons of a run that ended, which its news do not bear', async () => {
    const fake = new Fake();
    fake.runs = [];
    renderApp(fake);
    await screen.findAllByText('还没有抄表任务');
    await waitFor(() => expect(fake.watchers).toBe(1));
    const ended = makeRun(8, 'schedules/p1', fake.now, 24, { NOISE: 5n });
    fake.runs = [ended];
    fake.push({ runs: [{ ...ended, failures: {} }] });
    expect((await screen.findAllByText('应答受干扰'))[0]).toBeVisible();
  });

  test('says that it is live, and that it is not when the stream is lost', async () => {
    const fake = new Fake();
    renderApp(fake);
    await waitFor(() => expect(screen.getByTestId('live')).toHaveTextContent('实时'));
    fake.failing.set('Watch', () => refusal(Code.Unavailable, 'BUSY'));
    fake.dropWatchers();
    await waitFor(() => expect(screen.getByTestId('live')).toHaveTextContent('重连中'));
    fake.failing.clear();
    await waitFor(() => expect(screen.getByTestId('live')).toHaveTextContent('实时'), { timeout: 8000 });
  });

  test('shows what failed to load with a way to try again, and says why', async () => {
    const fake = new Fake();
    fake.failing.set('ListRuns', () => refusal(Code.PermissionDenied, 'NOT_PERMITTED'));
    const { user } = renderApp(fake);
    expect((await screen.findAllByText('没有权限执行此操作'))[0]).toBeVisible();
    fake.failing.clear();
    await user.click(screen.getAllByRole('button', { name: '重试' })[0]!);
    expect(await screen.findByText('38 块表未读到')).toBeVisible();
  });

  test('speaks English after one press, and remembers', async () => {
    const { user } = renderApp(new Fake());
    await user.click(await screen.findByRole('button', { name: 'English (语言)' }));
    expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
    expect(localStorage.getItem('voltwell.language')).toBe('en');
    expect(document.documentElement.lang).toBe('en');
  });
});

describe('a bus', () => {
  test('is searched for meters, and what was found goes into the register', async () => {
    const fake = new Fake();
    const { user } = renderApp(fake, '/collectors');
    await user.click((await screen.findAllByRole('button', { name: '搜索总线 1上的表计' }))[0]!);
    expect(await screen.findByText('该总线尚未搜索过')).toBeVisible();
    await user.click(screen.getAllByRole('button', { name: /搜索表计/ })[0]!);
    const row = (await screen.findByText('1000112233445566')).closest('tr')!;
    expect(screen.getByText('已有档案')).toBeVisible();
    expect(screen.getByText('多表同时应答，无法区分')).toBeVisible();
    await user.click(within(row).getByRole('button', { name: '建档' }));
    await waitFor(() => expect(within(row).getByText('已有档案')).toBeVisible());
    const { meter } = fake.calls.find(({ method }) => method === 'CreateMeter')!.request as CreateMeterRequest;
    expect(meter).toMatchObject({ address: '1000112233445566', protocol: 'CJT188', kind: Meter_Kind.WATER, bus: 1 });
    expect(meter?.collector).not.toBe('');
  });
});

describe('meters', () => {
  test('show their latest readings, and new ones as they arrive', async () => {
    const fake = new Fake();
    renderApp(fake, '/meters');
    const row = (await screen.findByText('202400000001')).closest('tr')!;
    await waitFor(() => expect(within(row).getAllByText('kWh')[0]).toBeVisible());
    const reading = makeReading(fake.meters[0]!, '1-0:1.8.0', fake.now + 1000);
    reading.value!.value = '98765.43';
    await waitFor(() => expect(fake.watchers).toBe(1));
    fake.push({ readings: [reading] });
    expect(await within(row).findByText('98,765.43')).toBeVisible();
  });

  test('are found by name, address or site', async () => {
    const fake = new Fake();
    const { user, router } = renderApp(fake, '/meters');
    await user.type(await screen.findByLabelText('搜索名称、表地址或位置'), '202400000038');
    await waitFor(() => expect(screen.queryByText('202400000001')).toBeNull());
    expect(screen.getByText('202400000038')).toBeVisible();
    expect(router.state.location.search).toHaveProperty('q');
  });

  test('are read now from the drawer, and the values stand there', async () => {
    const fake = new Fake();
    const { user } = renderApp(fake, '/meters?meter=meters%2Fm1');
    await screen.findByText('最新读数');
    await screen.findAllByText('正向有功总电能');
    await user.click(screen.getByRole('button', { name: '立即抄读' }));
    expect(await screen.findByText('抄读成功')).toBeVisible();
    const { requestId, operation } = fake.calls.find(({ method }) => method === 'ExecuteOperation')!.request as ExecuteOperationRequest;
    expect(requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(operation?.kind.case).toBe('readNow');
  });

  test('that cannot be read tell why in words', async () => {
    const fake = new Fake();
    fake.readOutcome = () => ({ state: Operation_State.FAILED, reason: 'TIMEOUT', readings: [] });
    const { user } = renderApp(fake, '/meters?meter=meters%2Fm1');
    await user.click(await screen.findByRole('button', { name: '立即抄读' }));
    expect(await screen.findByText('抄读失败')).toBeVisible();
    expect(screen.getByText('表计无应答')).toBeVisible();
  });

  test('offer no reading to who may not', async () => {
    const fake = new Fake({ permissions: ['meter.read', 'reading.read', 'collector.read'] });
    renderApp(fake, '/meters');
    await screen.findByText('202400000001');
    expect(screen.queryByRole('button', { name: /立即抄读/ })).toBeNull();
  });

  test('show the history of the register that was pressed', async () => {
    const fake = new Fake();
    const { user } = renderApp(fake, '/meters?meter=meters%2Fm1');
    await user.click(await screen.findByRole('button', { name: /A相电压/ }));
    expect(await screen.findByRole('img', { name: 'A相电压 · 历史曲线' })).toBeVisible();
  });
});

describe('collectors', () => {
  test('show their share of time online, drops and the longest gap of the last week', async () => {
    const fake = new Fake();
    renderApp(fake, '/collectors');
    const row = await screen.findByRole('row', { name: /VW-DEMO-0001/ });
    expect(await within(row).findByText('98.7%')).toBeVisible();
    expect(within(row).getByText(/掉线 2 次/)).toBeVisible();
    expect(within(row).getByText(/最长离线 2小时/)).toBeVisible();
    const steady = screen.getByRole('row', { name: /VW-DEMO-0002/ });
    expect(within(steady).getByText('100%')).toBeVisible();
    expect(within(steady).queryByText(/最长离线/)).toBeNull();
    expect(within(screen.getByRole('row', { name: /VW-DEMO-0005/ })).getByText('0%')).toBeVisible();
  });

  test('are shown where time online cannot be told', async () => {
    const fake = new Fake();
    fake.failing.set('ListCollectorUptimes', () => refusal(Code.Unavailable, 'DATABASE_DOWN'));
    renderApp(fake, '/collectors');
    expect(await screen.findByRole('row', { name: /VW-DEMO-0001/ })).toBeVisible();
  });

  test('have their level and key set, and the key is not shown again', async () => {
    const fake = new Fake();
    const { user } = renderApp(fake, '/collectors');
    await user.click((await screen.findAllByRole('button', { name: /编\s*号/ }))[0]!);
    const drawer = await screen.findByRole('dialog');
    await user.click(within(drawer).getByRole('button', { name: '生成密钥' }));
    const key = within(drawer).getByLabelText<HTMLInputElement>('新密钥').value;
    expect(key).toMatch(/^[0-9A-F]{64}$/);
    await user.click(within(drawer).getByLabelText('要求的身份证明'));
    await user.click(await screen.findByTitle('密钥应答'));
    await user.click(within(drawer).getByRole('button', { name: /保\s*存/ }));
    await waitFor(() => expect(fake.countCalls('UpdateCollector')).toBe(1));
    const { request } = fake.calls.find(({ method }) => method === 'UpdateCollector')! as { request: UpdateCollectorRequest };
    expect(request.updateMask?.paths).toEqual(['assurance', 'source_network', 'key_hex']);
    expect(request.collector).toMatchObject({ assurance: Collector_Assurance.KEY, keyHex: key });
    const changed = await screen.findByRole('button', { name: '密钥应答' });
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await user.click(changed);
    const again = await screen.findByRole('dialog');
    expect(within(again).getByLabelText<HTMLInputElement>('新密钥').value).toBe('');
    expect(within(again).getByText(/密钥设置于/)).toBeVisible();
  });

  test('show their level to who may not change it', async () => {
    renderApp(new Fake({ permissions: ['collector.read'] }), '/collectors');
    await screen.findAllByText('编号');
    expect(screen.queryByRole('button', { name: /编\s*号/ })).toBeNull();
  });
});

describe('runs', () => {
  test('show plan versus done with reasons, and open their book on what failed', async () => {
    const fake = new Fake();
    fake.runs = [makeRun(7, 'schedules/p1', fake.now, 24, { TIMEOUT: 2n, OFFLINE: 1n })];
    const { user } = renderApp(fake, '/runs');
    expect(await screen.findByTitle('已入库 21 · 失败 3 · 未完成 0')).toBeVisible();
    expect(screen.getByText('采集器离线')).toBeVisible();
    await user.click(screen.getByRole('row', { name: /有失败/ }));
    const drawer = await screen.findByRole('dialog');
    expect(await within(drawer).findAllByText('表计无应答')).not.toHaveLength(0);
    await waitFor(() => expect(within(drawer).getAllByRole('row')).toHaveLength(4));
  });
});

describe('schedules', () => {
  test('preview their next times and are created once', async () => {
    const fake = new Fake();
    const { user } = renderApp(fake, '/schedules?create=true');
    await user.type(await screen.findByLabelText('计划名称'), '夜间');
    await user.click(screen.getByRole('button', { name: '每天 00:05' }));
    const preview = (await screen.findByText('接下来的执行时间')).parentElement!;
    await waitFor(() => expect(within(preview).getAllByRole('listitem')[0]).toHaveTextContent('00:05:00'));
    await user.click(screen.getByRole('button', { name: '创建' }));
    expect(await screen.findByText('计划“夜间”已创建')).toBeVisible();
    const created = fake.calls.filter(({ method }) => method === 'CreateSchedule');
    expect(created).toHaveLength(1);
    const { schedule, requestId } = created[0]!.request as CreateScheduleRequest;
    expect(requestId).not.toBe('');
    expect(schedule).toMatchObject({ displayName: '夜间', cron: '0 5 0 * * *', timeZone: 'Asia/Shanghai', registers: ['1-0:1.8.0'] });
  });

  test('mark the place of a mistake in the expression', async () => {
    setLanguage('en');
    const { user } = renderApp(new Fake(), '/schedules?create=true');
    const cron = await screen.findByLabelText('Cron expression');
    await user.clear(cron);
    await user.type(cron, '0 0 25 * * *');
    const mistake = await screen.findByTestId('cron-mistake');
    expect(mistake).toHaveTextContent('0 0 25 * * *');
    expect(mistake.querySelector('mark')).toHaveTextContent('2');
    expect(screen.getByText(/hour · Mistake at character 5/)).toBeVisible();
  });

  test('are paused and fired from their row', async () => {
    const fake = new Fake();
    const { user, router } = renderApp(fake, '/schedules');
    await user.click((await screen.findAllByRole('button', { name: /暂停/ }))[0]!);
    await waitFor(() => expect(screen.getAllByText('已暂停')).toHaveLength(2));
    await user.click(screen.getAllByRole('button', { name: /立即执行/ })[0]!);
    await waitFor(() => expect(router.state.location.pathname).toBe('/runs'));
  });
});
