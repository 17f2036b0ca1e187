// The global SYNOSSO, by which a page of an application logs people in at this provider: init, login and logout.
// A page asks in a hidden frame (init, logout) or in a window of its own (login), and is answered by a message.
(function (page) {
  "use strict";

  var PATH = "/webman/sso/SSOOauth.cgi";
  var REQUIRED = ["oauthserver_url", "app_id", "redirect_uri", "callback"];
  var FRAME_TIMEOUT = 10000; // milliseconds until a frame that says nothing is given up
  var POLL = 500;            // milliseconds between two looks at whether the window was closed

  var settings = null; // what init was given
  var asked = {};      // what is waited for, by state
  var frames = 0;
  var forget = function () {}; // gives up on the window that was opened last

  // A page that was itself opened by this protocol must not open frames in turn.
  var inert = new URLSearchParams(page.location.search).get("synossoJSSDK") === "true";

  function complain(text) {
    if (page.console) {
      page.console.error("SYNOSSO: " + text);
    }
  }

  function random() {
    var bytes = page.crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (b) { return ("0" + b.toString(16)).slice(-2); }).join("");
  }

  function address(state, more) {
    var query = new URLSearchParams({
      app_id: settings.app_id, scope: "user_id", redirect_uri: settings.redirect_uri, synossoJSSDK: "true", state: state
    });
    ["domain_name", "ldap_baseDN"].forEach(function (name) {
      if (settings[name]) {
        query.set(name, settings[name]);
      }
    });
    Object.keys(more).forEach(function (name) { query.set(name, more[name]); });
    return settings.base + PATH + "?" + query.toString();
  }

  // expect waits for the answer to a request. done is called once, with what the fragment of the message says.
  function expect(state, source, done) {
    asked[state] = {
      source: source,
      done: function (answer) {
        delete asked[state];
        done(answer);
      }
    };
    return asked[state].done;
  }

  function onMessage(event) {
    if (!settings || event.origin !== settings.origin || typeof event.data !== "string") {
      return;
    }
    var answer = new URLSearchParams(event.data.slice(event.data.indexOf("#") + 1));
    var waiting = asked[answer.get("state")];
    if (waiting && waiting.source() === event.source) {
      waiting.done({status: answer.get("status"), access_token: answer.get("access_token")});
    }
  }

  // inFrame asks in a hidden frame. Where the answer may not be framed, nothing comes back.
  function inFrame(more, done) {
    var state = random();
    var frame = page.document.createElement("iframe");
    frame.id = "synosso-" + (++frames);
    frame.hidden = true;
    frame.setAttribute("aria-hidden", "true");
    var finish = expect(state, function () { return frame.contentWindow; }, function (answer) {
      page.clearTimeout(timer);
      frame.remove();
      done(answer);
    });
    var timer = page.setTimeout(function () { finish({status: "unknown_error"}); }, FRAME_TIMEOUT);
    frame.src = address(state, Object.assign({inframe_id: frame.id}, more));
    (page.document.body || page.document.documentElement).appendChild(frame);
  }

  // inWindow asks in a window, which works without cookies in frames. Closing it is an answer, too.
  function inWindow(more, done) {
    var state = random();
    var left = page.screenX + Math.max(0, (page.outerWidth - 500) / 2);
    var top = page.screenY + Math.max(0, (page.outerHeight - 600) / 2);
    var opened = page.open(address(state, more), "SSO", "popup,width=500,height=600,left=" + left + ",top=" + top);
    if (!opened) {
      complain("the browser has blocked the window; call this from a click");
      done({status: "unknown_error"});
      return;
    }
    opened.focus();
    forget(); // a second click opens the same window again, and the first is not answered any more
    var finish = expect(state, function () { return opened; }, function (answer) {
      page.clearInterval(timer);
      done(answer);
    });
    var timer = page.setInterval(function () {
      if (opened.closed) {
        // The message of a window that has closed itself may still be on its way.
        page.clearInterval(timer);
        page.setTimeout(function () {
          if (asked[state]) {
            finish({status: "not_login"});
          }
        }, POLL);
      }
    }, POLL);
    forget = function () {
      page.clearInterval(timer);
      delete asked[state];
    };
  }

  function tell(answer) {
    if (answer.status === "login") {
      settings.callback({status: "login", access_token: answer.access_token});
    } else {
      settings.callback({status: answer.status});
    }
  }

  function ready(name) {
    if (!settings) {
      complain(name + " needs init first");
    }
    return settings !== null;
  }

  page.SYNOSSO = {
    // init remembers the settings and asks, without showing anything, whether somebody is logged in.
    init: function (given) {
      if (inert) {
        return false;
      }
      var missing = REQUIRED.filter(function (name) { return !given || !given[name]; });
      missing.forEach(function (name) { complain(name + " is required"); });
      if (missing.length) {
        return false;
      }
      if (typeof given.callback !== "function") {
        complain("callback must be a function");
        return false;
      }
      var server;
      try {
        server = new URL(given.oauthserver_url, page.location.href);
      } catch (e) {
        complain("oauthserver_url must be a URL");
        return false;
      }
      if (!settings) {
        page.addEventListener("message", onMessage);
      }
      settings = Object.assign({}, given, {
        origin: server.origin, base: server.origin + server.pathname.replace(/\/+$/, "")
      });
      inFrame({synossoJSSDKQuery: "true"}, tell);
      return true;
    },

    // login opens a window in which somebody logs in. Call it from a click: browsers block other windows.
    login: function () {
      if (!inert && ready("login")) {
        inWindow({}, tell);
      }
    },

    // logout ends the login at the provider, not the one at the application, and calls done.
    logout: function (done) {
      if (inert || !ready("logout")) {
        return;
      }
      var finish = function () {
        if (typeof done === "function") {
          done();
        }
      };
      inFrame({method: "logout"}, function (answer) {
        if (answer.status === "unseen") {
          inWindow({method: "logout"}, finish);
        } else {
          finish();
        }
      });
    }
  };
})(window);
