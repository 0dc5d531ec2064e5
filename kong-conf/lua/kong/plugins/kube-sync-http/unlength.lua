-- Of a request whose length is 0, nginx tells HTTP/2 backends that it ends by a frame after
-- the headers. One that has answered by then refuses the frame, and nginx takes the answer
-- for broken. A request without a length ends with its headers.
local kong = kong

return function()
  if kong.request.get_header("content-length") == "0" then
    kong.service.request.clear_header("content-length")
  end
end
