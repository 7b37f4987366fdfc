/** @file Chat templates of the usual kinds, written for these tests. */

/** Turns between <|im_start|> and <|im_end|>, as ChatML has them. */
export const CHATML = `{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}`;

/** A BOS of its own, headers, contents trimmed, a date in the system turn. */
export const HEADERS = `{{- bos_token }}
{%- if messages[0].role == 'system' %}
    {%- set system = messages[0].content | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = '' %}
{%- endif %}
{{- '<|start|>system<|end|>\\n\\nToday: ' + strftime_now('%d %b %Y') + '\\n' + system + '<|eot|>' }}
{%- for message in messages %}
    {{- '<|start|>' + message['role'] + '<|end|>\\n\\n' + message['content'] | trim + '<|eot|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start|>assistant<|end|>\\n\\n' }}
{%- endif %}`;

/** Tools before the first turn, calls as JSON; roles must be known. */
export const TOOLS = `{%- if tools %}[TOOLS]{{ tools | tojson }}[/TOOLS]
{% endif %}
{%- for message in messages %}
  {%- if message.role == 'user' %}[USER]{{ message.content }}
{% elif message.role == 'tool' %}[RESULT]{{ message.content }}
{% elif message.role == 'assistant' %}
    {%- for call in message.tool_calls or [] %}[CALL]{{ call.function | tojson }}
{% endfor %}
    {%- if message.content %}[ANSWER]{{ message.content }}</s>{% endif %}
  {%- else %}{{ raise_exception('Unknown role ' + message.role) }}{% endif %}
{%- endfor %}`;

/** Thoughts are kept in the last answer only: earlier turns are rewritten once another follows. */
export const FORGETFUL = `{%- for message in messages %}
{%- set content = message.content %}
{%- if message.role == 'assistant' and not loop.last %}{% set content = content.split('</think>')[-1].lstrip('\\n') %}{% endif %}
{{- '<' + message.role + '>' + content }}
{%- endfor %}`;
