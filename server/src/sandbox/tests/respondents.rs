//! Adding respondents: the shapes of sections 7 and 8, and one test per message of section 5.

use super::super::add_answer::{LANGUAGE_EMPTY, LANGUAGE_MALFORMED, LANGUAGE_NOT_PART, MODEL, mandatory};
use super::super::add_respondent::{
    NO_EMAIL, RESPONDENT_MODEL, check_all, check_one, invalid_email, language_not_found, touchpoint_not_found,
};
use super::*;

/// The page's example of section 7, for this touchpoint.
fn john() -> Value {
    json!({
        "firstName": "John",
        "lastName": "Doe",
        "email": "JohnDoe@mycompany.example",
        "phoneNumber": "+32486697306",
        "custom_UniqueID": "8754864354",
        "campaign_UniqueID": TOUCHPOINT,
        "language_UniqueID": "1b5c1275-4f92-422f-b1fc-799bf8e30598",
        "keyValues": { "shop": "Brugge", "Leeftijd": "35" },
    })
}

/// The messages for the example with one thing changed; the same for one as for several.
fn messages(change: impl Fn(&mut Value)) -> Vec<String> {
    let mut body = john();
    change(&mut body);
    let of = |problems: Vec<super::super::reply::Problem>| -> Vec<String> {
        problems.into_iter().map(|problem| problem.message).collect()
    };
    let one = check_one(&touchpoint(), &body).err().map(of).unwrap_or_default();
    let all = check_all(&touchpoint(), &json!([john(), body])).err().map(of).unwrap_or_default();
    assert_eq!(one, all);
    one
}

fn without(key: &'static str) -> impl Fn(&mut Value) {
    move |body| _ = body.as_object_mut().unwrap().remove(key).unwrap()
}

async fn post(address: SocketAddr, call: &str, body: &str) -> super::Answer {
    let line = format!("POST /V1.0/EN/Campaign/{TOUCHPOINT}/Respondent/{call}");
    let authorization = format!("basic {TOKEN}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    request(address, &line, &headers, body).await
}

#[test]
fn the_pages_examples_are_taken() {
    assert_eq!(messages(|_| {}), [""; 0]);
    assert_eq!(messages(without("phoneNumber")), [""; 0], "section 8 has none");
    for key in ["firstName", "lastName", "custom_UniqueID"] {
        assert_eq!(messages(without(key)), [""; 0], "{key} is optional data");
    }
}

#[test]
fn any_other_shape_is_an_invalid_model() {
    for key in ["email", "campaign_UniqueID", "language_UniqueID"] {
        assert_eq!(messages(without(key)), [RESPONDENT_MODEL], "{key}");
        assert_eq!(messages(|body| body[key] = json!(7)), [RESPONDENT_MODEL], "{key}");
    }
    assert_eq!(messages(|body| body["firstname"] = json!("John")), [RESPONDENT_MODEL]);
    assert_eq!(messages(|body| body["firstName"] = json!(null)), [RESPONDENT_MODEL]);
    assert_eq!(messages(|body| body["keyValues"]["Leeftijd"] = json!(35)), [RESPONDENT_MODEL]);
    assert_eq!(messages(|body| *body = json!("John")), [RESPONDENT_MODEL]);
    assert_eq!(
        messages(|body| body["keyValues"] = json!([])),
        [RESPONDENT_MODEL.to_owned(), mandatory("shop")]
    );
    for body in [json!({}), json!([]), json!(1)] {
        assert_eq!(check_all(&touchpoint(), &body).unwrap_err()[0].message, MODEL);
    }
}

#[test]
fn what_has_the_right_shape_and_is_wrong_has_the_pages_messages() {
    let language = |guid: &'static str| move |body: &mut Value| body["language_UniqueID"] = json!(guid);
    assert_eq!(messages(language("")), [LANGUAGE_EMPTY]);
    assert_eq!(messages(language("00000000-0000-0000-0000-000000000000")), [LANGUAGE_EMPTY]);
    assert_eq!(messages(language("NL")), [LANGUAGE_MALFORMED]);
    assert_eq!(messages(language(COMPANY)), [language_not_found(COMPANY)]);
    assert_eq!(messages(language("B913ECA5-638C-4B5C-80FD-4BC9E3B29587")), [LANGUAGE_NOT_PART]);
    for email in ["", "jef", "jef@", "@example.com", "jef@example", "jef jansen@example.com", "a@b@c.com"] {
        assert_eq!(messages(|body| body["email"] = json!(email)), [invalid_email(email)]);
    }
    assert_eq!(messages(|body| body["campaign_UniqueID"] = json!(COMPANY)), [touchpoint_not_found(COMPANY)]);
    assert_eq!(messages(|body| body["keyValues"]["shop"] = json!("")), [mandatory("shop")]);
    assert_eq!(messages(without("keyValues")), [mandatory("shop")]);
    let no_email = Touchpoint { email: false, ..touchpoint() };
    assert_eq!(check_one(&no_email, &john()).unwrap_err()[0].message, NO_EMAIL);
}

#[tokio::test]
async fn one_is_created_and_comes_back_and_several_are_taken_without_a_word() {
    let (sandbox, address) = start().await;
    let one = post(address, "Add", &john().to_string()).await;
    assert_eq!((one.status(), one.json()), (Some(201), john()));
    let several = post(address, "AddMultipleToCache", &json!([john(), john()]).to_string()).await;
    assert_eq!((several.status(), several.body()), (Some(200), ""));
    assert_eq!((sandbox.respondents().len(), sandbox.counts().respondents), (3, 3));
    assert_eq!(sandbox.respondents()[2].json, john());
}

#[tokio::test]
async fn of_a_list_with_one_wrong_nobody_is_taken() {
    let (sandbox, address) = start().await;
    let mut wrong = john();
    wrong["email"] = json!("jef");
    let refused = post(address, "addmultipletocache", &json!([john(), wrong]).to_string()).await;
    assert_eq!((refused.status(), refused.json()), (Some(400), json!([invalid_email("jef")])));
    for body in ["", "[", "{}"] {
        let refused = post(address, "addmultipletocache", body).await;
        assert_eq!((refused.status(), refused.json()), (Some(400), json!([MODEL])), "{body:?}");
    }
    assert!(sandbox.respondents().is_empty());
    assert!(sandbox.arrivals()[0].reasons[0].starts_with("respondent 2: "));
}
