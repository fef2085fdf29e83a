-- People, and the sessions that they are signed in by. ARGV: what to do, a person's name or a session's id, arguments
-- as JSON. Keys: person:<name> (a hash), people (a set of names), signin:<sid> (a hash), signins:<name> (a set of
-- sids), ended:<sid> (a mark, for as long as a token of the session might still be around).
local what, id = ARGV[1], ARGV[2]
local a = cjson.decode(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local GRACE_SECONDS, SPENT_KEPT = 60, 8

local function hash(key)
  local flat, found = redis.call('HGETALL', key), {}
  for n = 1, #flat, 2 do found[flat[n]] = flat[n + 1] end
  return found
end

local function end_session(sid, seconds)
  local person = redis.call('HGET', 'signin:' .. sid, 'person')
  if person then redis.call('SREM', 'signins:' .. person, sid) end
  redis.call('DEL', 'signin:' .. sid)
  redis.call('SET', 'ended:' .. sid, '1', 'EX', math.max(1, math.ceil(seconds)))
  redis.call('PUBLISH', 'signins:ended', cjson.encode({ sid = sid }))
end

local function sids(person)
  local found = {}
  for _, sid in ipairs(redis.call('SMEMBERS', 'signins:' .. person)) do
    if redis.call('EXISTS', 'signin:' .. sid) == 1 then found[#found + 1] = sid
    else redis.call('SREM', 'signins:' .. person, sid) end
  end
  return found
end

local function is_disabled(person) return redis.call('HGET', 'person:' .. person, 'is_disabled') == '1' end

if what == 'add' then
  if redis.call('EXISTS', 'person:' .. id) == 1 then return 'exists' end
  redis.call('HSET', 'person:' .. id, 'role', a.role, 'password', a.password, 'source', a.source, 'is_disabled', '0',
    'created_at', string.format('%.3f', now))
  redis.call('SADD', 'people', id)
  return 'added'
end

if what == 'change' then
  if redis.call('EXISTS', 'person:' .. id) == 0 then return 'gone' end
  for field, value in pairs(a.fields) do redis.call('HSET', 'person:' .. id, field, value) end
  if a.fields.role then redis.call('PUBLISH', 'signins:ended', cjson.encode({ role_of = id })) end
  if a.ends_sessions then
    for _, sid in ipairs(sids(id)) do end_session(sid, a.token_seconds) end
    redis.call('PUBLISH', 'signins:ended', cjson.encode({ person = id }))
  end
  return 'changed'
end

if what == 'person' then return { id, redis.call('HGETALL', 'person:' .. id) } end

if what == 'people' then
  local found = {}
  for _, name in ipairs(redis.call('SMEMBERS', 'people')) do
    found[#found + 1] = { name, redis.call('HGETALL', 'person:' .. name) }
  end
  return found
end

if what == 'open' then
  if is_disabled(a.person) then return 'disabled' end
  local key = 'signin:' .. id
  redis.call('HSET', key, 'person', a.person, 'role', a.role, 'most', a.most, 'refresh', a.refresh, 'refresh_before', '', 'spent', '',
    'changed_at', now, 'created_at', now, 'used_at', now, 'ends_at', a.ends_at, 'client', a.client,
    'address', a.address, 'seconds', a.seconds)
  redis.call('EXPIRE', key, a.seconds)
  redis.call('SADD', 'signins:' .. a.person, id)
  return 'opened'
end

if what == 'refresh' then
  -- Each refresh token is replaced as it is used. The one before is taken for a minute more, since the answer with its
  -- successor may not have arrived; one that is older than that was copied, and ends the session.
  local key = 'signin:' .. id
  local s = hash(key)
  if not s.person then return { 'ended' } end
  if is_disabled(s.person) then return { 'disabled' } end
  if a.given == s.refresh then
    local spent = {}
    for one in string.gmatch(s.spent .. ' ' .. s.refresh_before, '%S+') do spent[#spent + 1] = one end
    while #spent > SPENT_KEPT do table.remove(spent, 1) end
    redis.call('HSET', key, 'spent', table.concat(spent, ' '), 'refresh_before', s.refresh, 'changed_at', now)
  elseif a.given ~= s.refresh_before or now - tonumber(s.changed_at) > GRACE_SECONDS then
    if a.given ~= s.refresh_before and not string.find(s.spent, a.given, 1, true) then return { 'unknown' } end
    end_session(id, a.token_seconds)
    return { 'reused', s.person }
  end
  redis.call('HSET', key, 'refresh', a.next, 'used_at', now)
  redis.call('EXPIRE', key, s.seconds)
  return { 'refreshed', s.person, s.role, s.ends_at }
end

if what == 'check' then
  -- One call for each request: whether the session still is one, and what role its person has now.
  if redis.call('EXISTS', 'ended:' .. id) == 1 then return { 'ended' } end
  local role, most = '', ''
  if a.is_session then
    role, most = unpack(redis.call('HMGET', 'signin:' .. id, 'role', 'most'))
    if not role then return { 'ended' } end
  end
  local found = redis.call('HMGET', 'person:' .. a.person, 'role', 'is_disabled')
  if found[2] == '1' then return { 'disabled' } end
  return { 'good', found[1] or role, most }
end

if what == 'end' then
  local there = redis.call('EXISTS', 'signin:' .. id)
  end_session(id, a.seconds)
  return there == 1 and 'ended' or 'marked'
end

if what == 'session' then return { id, redis.call('HGETALL', 'signin:' .. id) } end

if what == 'sessions' then
  local found = {}
  for _, sid in ipairs(sids(id)) do found[#found + 1] = { sid, redis.call('HGETALL', 'signin:' .. sid) } end
  return found
end

return redis.error_reply('unknown request ' .. what)
