// What must happen at once in Redis when a session comes, is restated, or goes. Scripts, since a claim compares and
// writes. They name keys of several slots (session, generation, counter, stream): one Redis or one slot, no cluster.
#pragma once

namespace voltwell::gateway {

// Numbered up for each new claim, over all pods.
inline constexpr char kEpochCounterKey[] = "session:counter";

// Claims several sessions in their order: a storm of registrations costs us a few strings each, not a command.
// KEYS generation, counter, links, then the session of each
// ARGV 1 pod, 2 ttl s, 3 now ms, 4 stream length, then of each: since ms, generation and counter of the epoch held
//      (0 0: none yet), bus, peer, length of the collector's name, and that name and the registration id in one
// Answers "absent" while there is no generation; else the generation, and for each its counter or "fenced" when a
// higher epoch stands. A counter that was wiped begins at the time in microseconds, so that it is above all it ever
// gave; a restated session keeps its counter under a new generation, so that of two pods that both restate, the one
// with the newer connection wins. Lua prints large numbers with 14 digits only, hence string.format.
inline constexpr char kClaimScript[] = R"lua(
local generation = tonumber(redis.call('GET', KEYS[1]) or '')
if not generation then return 'absent' end
local answers = {string.format('%.0f', generation)}
for i = 4, #KEYS do
  local since, held_generation, counter, bus, peer, length, names =
      string.match(ARGV[i + 1], '^(%d+) (%d+) (%d+) (%d+) (%S+) (%d+) (.*)$')
  held_generation, counter = tonumber(held_generation), tonumber(counter)
  local restated = counter > 0
  if not restated then
    if redis.call('EXISTS', KEYS[2]) == 0 then
      local time = redis.call('TIME')
      redis.call('SET', KEYS[2], time[1] .. string.format('%06d', tonumber(time[2])))
    end
    counter = redis.call('INCR', KEYS[2])
  end
  local fenced = false
  local current = redis.call('GET', KEYS[i])
  if current then
    local g, c = string.match(current, '^%S+ (%d+)%.(%d+) ')
    g, c = tonumber(g), tonumber(c)
    fenced = g and (g > generation or ((g == generation or restated) and c > counter))
  end
  if fenced then
    answers[i - 2] = 'fenced'
  else
    local epoch = string.format('%.0f.%.0f', generation, counter)
    redis.call('SET', KEYS[i], ARGV[1] .. ' ' .. epoch .. ' ' .. since, 'EX', ARGV[2])
    if not restated or held_generation ~= generation then
      redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'kind', 'online',
                 'registration_id', string.sub(names, tonumber(length) + 1), 'collector', string.sub(names, 1, tonumber(length)),
                 'bus', bus, 'pod', ARGV[1], 'peer', peer, 'reason', '', 'time_ms', ARGV[3], 'epoch', epoch)
    end
    answers[i - 2] = string.format('%.0f', counter)
  end
end
return table.concat(answers, ' ')
)lua";

// KEYS session, links
// ARGV 1 pod, 2 generation, 3 counter, 4 registration id, 5 collector, 6 bus, 7 peer, 8 now ms, 9 stream length, 10
// reason Removes the key when it is still ours, and tells that the bus is offline unless somebody else holds it.
inline constexpr char kReleaseScript[] = R"lua(
local epoch = ARGV[2] .. '.' .. ARGV[3]
local current = redis.call('GET', KEYS[1])
if current then
  local pod, held = string.match(current, '^(%S+) (%S+) ')
  if pod ~= ARGV[1] or held ~= epoch then return 0 end
  redis.call('DEL', KEYS[1])
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[9], '*', 'kind', 'offline', 'registration_id', ARGV[4],
           'collector', ARGV[5], 'bus', ARGV[6], 'pod', ARGV[1], 'peer', ARGV[7], 'reason', ARGV[10],
           'time_ms', ARGV[8], 'epoch', epoch)
return 1
)lua";

// KEYS quarantine, links
// ARGV 1 pod, 2 id, 3 peer, 4 now ms, 5 ids kept at most, 6 stream length
// The hash's value: "first-ms last-ms attempts peer". When it is full the id seen longest ago makes room.
inline constexpr char kQuarantineScript[] = R"lua(
local first, attempts = ARGV[4], 0
local known = redis.call('HGET', KEYS[1], ARGV[2])
if known then
  local f, a = string.match(known, '^(%d+) %d+ (%d+) ')
  first, attempts = f or first, tonumber(a) or 0
elseif redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then
  local all = redis.call('HGETALL', KEYS[1])
  local oldest, oldest_time
  for i = 1, #all, 2 do
    local last = tonumber(string.match(all[i + 1], '^%d+ (%d+)')) or 0
    if not oldest_time or last < oldest_time then oldest, oldest_time = all[i], last end
  end
  redis.call('HDEL', KEYS[1], oldest)
end
redis.call('HSET', KEYS[1], ARGV[2], first .. ' ' .. ARGV[4] .. ' ' .. (attempts + 1) .. ' ' .. ARGV[3])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', 'kind', 'quarantined', 'registration_id', ARGV[2],
           'collector', '', 'bus', '0', 'pod', ARGV[1], 'peer', ARGV[3], 'reason', '', 'time_ms', ARGV[4], 'epoch', '')
return 1
)lua";

}  // namespace voltwell::gateway
