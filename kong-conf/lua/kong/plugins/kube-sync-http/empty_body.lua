-- Removes the length of requests without a body. nginx ends a request of length 0 to an HTTP/2 backend
-- with a frame after the headers. A backend that has already answered refuses the frame, and nginx treats
-- the response as broken. A request without a length ends with its headers.
local kong = kong


return function()
  if kong.request.get_header("content-length") == "0" then
    kong.service.request.clear_header("content-length")
  end
end
