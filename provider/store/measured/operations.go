package measured

// operation is a method of store.Store.
type operation int

const (
	createSession operation = iota
	renewSession
	session
	sessionByID
	sessionsOf
	touchSession
	endSession
	putConsent
	consent
	consentsOf
	revoke
	createGrant
	grant
	authorizationsOf
	redeemCode
	rotateRefresh
	deleteGrant
	deleteGrantsOf
	createAccessToken
	accessToken
	deleteAccessToken
	createDeviceRequest
	deviceRequestByUserCode
	decideDeviceRequest
	pollDeviceRequest
	redeemDeviceRequest
	failures
	addFailure
	clearFailures
	putPassword
	password
	takeNotices
	postponeNotice
	deleteNotice
	countNotices
	userNumber
	createPushedRequest
	pushedRequest
	deletePushedRequest
	useOnce
	purge
	waitingShares
	dropWaiting
	trimGrantsOf
	trimAccessTokens
	trimFailures
	trimNotices
	ping
	operations // how many there are
)

// names are the values of the label.
var names = [operations]string{
	createSession:           "create_session",
	renewSession:            "renew_session",
	session:                 "session",
	sessionByID:             "session_by_id",
	sessionsOf:              "sessions_of",
	touchSession:            "touch_session",
	endSession:              "end_session",
	putConsent:              "put_consent",
	consent:                 "consent",
	consentsOf:              "consents_of",
	revoke:                  "revoke",
	createGrant:             "create_grant",
	grant:                   "grant",
	authorizationsOf:        "authorizations_of",
	redeemCode:              "redeem_code",
	rotateRefresh:           "rotate_refresh",
	deleteGrant:             "delete_grant",
	deleteGrantsOf:          "delete_grants_of",
	createAccessToken:       "create_access_token",
	accessToken:             "access_token",
	deleteAccessToken:       "delete_access_token",
	createDeviceRequest:     "create_device_request",
	deviceRequestByUserCode: "device_request_by_user_code",
	decideDeviceRequest:     "decide_device_request",
	pollDeviceRequest:       "poll_device_request",
	redeemDeviceRequest:     "redeem_device_request",
	failures:                "failures",
	addFailure:              "add_failure",
	clearFailures:           "clear_failures",
	putPassword:             "put_password",
	password:                "password",
	takeNotices:             "take_notices",
	postponeNotice:          "postpone_notice",
	deleteNotice:            "delete_notice",
	countNotices:            "count_notices",
	userNumber:              "user_number",
	createPushedRequest:     "create_pushed_request",
	pushedRequest:           "pushed_request",
	deletePushedRequest:     "delete_pushed_request",
	useOnce:                 "use_once",
	purge:                   "purge",
	waitingShares:           "waiting_shares",
	dropWaiting:             "drop_waiting",
	trimGrantsOf:            "trim_grants_of",
	trimAccessTokens:        "trim_access_tokens",
	trimFailures:            "trim_failures",
	trimNotices:             "trim_notices",
	ping:                    "ping",
}
