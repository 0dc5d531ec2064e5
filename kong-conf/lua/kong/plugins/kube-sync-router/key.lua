-- Reads from the text of a route's expression what all requests that match it have in common.
--
-- An expression of kube-sync is a conjunction of terms in parentheses, to which Kong appends one for the protocols:
--
--   (lower(http.host) == "shop.example") && ((http.path == "/cart") || (http.path ^= "/cart/")) && …
--
-- In Kong || binds tighter than &&, so a term that is followed by && or by the end has to hold by itself.
-- Terms of any other form, and expressions of others, say nothing about a request.
local byte, find, match, sub = string.byte, string.find, string.match, string.sub

local OPEN, CLOSE, QUOTE = byte("()\"", 1, 3)


local _M = {
  -- length of the longest end of a host, with its dot: that of the longest name, in bytes
  LONGEST_SUFFIX = 254,
}


-- Returns the position of the quote that ends a literal.
local function end_of_literal(text, quote)
  if sub(text, quote - 2, quote - 1) == "r#" then
    return find(text, '"#', quote + 1, true)
  end

  local at = quote
  repeat
    at = find(text, '["\\]', at + 1)
    local ended = at and byte(text, at) == QUOTE
    if at and not ended then
      at = at + 1
    end
  until ended or not at

  return at
end


-- Returns the position of the parenthesis that closes the one at a position.
local function closing(text, at)
  local depth = 0
  while at do
    local char = byte(text, at)
    if char == QUOTE then
      at = end_of_literal(text, at)

    elseif char == OPEN then
      depth = depth + 1

    elseif char == CLOSE then
      depth = depth - 1
      if depth == 0 then
        return at
      end
    end

    at = at and find(text, '[()"]', at + 1)
  end
end


-- Iterates over the terms at the start of a conjunction, without their parentheses.
local function terms(text)
  local at = 1
  return function()
    local close = byte(text, at) == OPEN and closing(text, at)
    if not close or close < #text and sub(text, close + 1, close + 4) ~= " && " then
      return nil
    end

    local term = sub(text, at + 1, close - 1)
    at = close + 5
    return term
  end
end


-- Returns the first element of all paths that match a comparison, or nil.
local function element_of_comparison(text)
  local path = match(text, '^http%.path == "/([^"\\]*)"$')
  if path then
    return match(path, "^[^/]*")
  end

  return match(text, '^http%.path %^= "/([^"\\/]*)/[^"\\]*"$')
end


-- Returns the first element of all paths that match a regular expression, or nil. It has to be in the
-- expression as it is, followed by the end or by a slash that is not optional.
local function element_of_regex(text)
  if find(text, "|", 1, true) then
    return
  end

  return match(text, '^http%.path ~ "%^/([%w_-]+)%$"$')
    or match(text, '^http%.path ~ "%^/([%w_-]+)/"$')
    or match(text, '^http%.path ~ "%^/([%w_-]+)/[^?*{].*"$')
end


local function element(term)
  local one, other = match(term, "^(%b()) || (%b())$")
  if not one then
    return element_of_comparison(term) or element_of_regex(term)
  end

  local found = element_of_comparison(sub(one, 2, -2))
  if found == element_of_comparison(sub(other, 2, -2)) then
    return found
  end
end


-- Returns of the requests that match an expression, where all have the same: the host in lower case, the end
-- of the host in lower case, which begins with a dot, and the first element of the path. Each may be nil. Hosts are
-- in ASCII, because Kong's library knows more of lower case than Lua.
function _M.of(expression)
  local host, suffix, first
  for term in terms(expression) do
    host = host or match(term, '^lower%(http%.host%) == "([^"\\\128-\255]*)"$')
    suffix = suffix or match(term, '^lower%(http%.host%) =^ "(%.[^"\\\128-\255]*)"$')
    first = first or element(term)
  end

  if suffix and #suffix > _M.LONGEST_SUFFIX then
    suffix = nil
  end

  return host, suffix, first
end


return _M
